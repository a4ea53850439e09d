"""Will baclofen be taken twice?"""
