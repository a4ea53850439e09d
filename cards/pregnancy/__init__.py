"""Does this order concern an unborn or a breast-fed child?"""
