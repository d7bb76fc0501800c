# SPDX-License-Identifier: Apache-2.0
# Made from the manifests of kind tracker.
