"""``python -m counterpulse.cli``."""

from counterpulse.cli.main import main

main()
