"""``python -m rapideval``."""

from rapideval.cli import main

if __name__ == "__main__":
    main(prog_name="rapideval")
