"""The service as it runs, over HTTP, against yardsticks that run the same way: ``make bench-full``.

Each side is a process of its own under uvicorn. One load sends the same requests to both in turns; what counts is the
CPU time that the kernel charges to the server process, for each request.
"""
