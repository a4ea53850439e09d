"""Do epilepsy or another disease of the nervous system change what baclofen does?"""
