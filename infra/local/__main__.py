"""`python -m infra.local`: the local cloud's command line."""

from infra.local.cli import main

main()
