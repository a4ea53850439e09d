"""Is this order right for a child?"""
