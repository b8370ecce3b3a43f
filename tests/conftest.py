"""Tests press Ctrl-C. A shell starts background jobs with SIGINT ignored, which every child would inherit."""

import signal

signal.signal(signal.SIGINT, signal.default_int_handler)
