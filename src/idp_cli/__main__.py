"""`python -m idp_cli`."""

import sys

from idp_cli.main import main

sys.exit(main())
