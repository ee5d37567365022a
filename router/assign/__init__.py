"""Who goes? The nearest able worker by travel time, with the figures of those who were considered.

`near` finds whom to look at, `eligible` who may be sent, `believed` where they are, `travel`,
`roads` and `barriers` how far the way is, `weigh` what else counts, `search` the best of all,
`words` says why.
"""

from router.assign.choice import Choice
from router.assign.load import Load
from router.assign.roster import Roster
from router.assign.weigh import Request

__all__ = ["Choice", "Load", "Request", "Roster"]
