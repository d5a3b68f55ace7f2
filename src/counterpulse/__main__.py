"""``python -m counterpulse``."""

from counterpulse.cli.main import main

main()
