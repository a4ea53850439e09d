"""Is this dose, or this step, larger than it should be?"""
