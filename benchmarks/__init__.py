"""rapideval and its peers, side by side, on the same work in the same run.

``python -m benchmarks`` prepares the inputs, runs every tool as a whole process, interleaved over several rounds,
checks that the numbers agree, and prints and writes the table.
"""
