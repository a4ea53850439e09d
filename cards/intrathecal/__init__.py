"""Is this intrathecal order in the right unit, and does oral baclofen go on beside it?"""
