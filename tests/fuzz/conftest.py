"""The fuzzers are programs of their own (docs/fuzzing.md), no tests to be collected."""

collect_ignore_glob = ["fuzz_*.py"]
