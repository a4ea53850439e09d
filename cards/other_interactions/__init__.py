"""What else should be checked beside baclofen?"""
