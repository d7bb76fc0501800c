# SPDX-License-Identifier: Apache-2.0
"""Parts of kind schedule, a class for each that a plugin offers."""

from .parts import Classes

_classes = Classes("schedule")
__getattr__, __dir__ = _classes.find, _classes.names
