"""Run the command line: `python -m distillgen`."""

from distillgen.cli import main

if __name__ == "__main__":
    main()
