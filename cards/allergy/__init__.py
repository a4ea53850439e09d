"""Has this patient reacted to baclofen before?"""
