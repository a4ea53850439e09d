"""Is this dose safe for these kidneys?"""
