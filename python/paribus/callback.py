# SPDX-License-Identifier: Apache-2.0
"""Parts of kind callback, a class for each that a plugin offers."""

from .parts import Classes

_classes = Classes("callback")
__getattr__, __dir__ = _classes.find, _classes.names
