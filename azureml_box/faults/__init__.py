"""Faults by rule: which calls (`trigger`), what happens to them (`effects`), who keeps count (`book`).

    request -> Faults (middleware) -> Gate -> routes
                 |  asks the book for the rule that fires, and does to the answer what its effect says
                 +- every call, with what came of it, goes into the log of calls

Effects reach the wire: a reset is a TCP reset, half a body ends in the middle. Those of provisioning let the call pass and
fail the resource afterwards, as Azure does when quota, capacity or an image is what is missing.
"""
