"""`python -m mediagen.cli` is `mediagen`."""

from mediagen.cli import main

main()
