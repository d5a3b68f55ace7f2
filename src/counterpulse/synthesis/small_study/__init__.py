"""Whether small studies tell another story than large ones."""
