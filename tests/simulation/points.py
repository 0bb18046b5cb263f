"""The fault points: each kind of call outside, in the words of RELIABILITY.md's list."""

POINTS = (
    "dataset list", "blob range", "blob properties", "blob tag", "container properties",
    "report read", "report write", "snapshot read", "snapshot block", "snapshot commit", "snapshot write",
    "record read", "record create", "record write", "record list", "use list", "use read", "use write", "use delete",
    "marker list", "marker read", "marker write", "marker delete", "queue send", "queue receive", "queue delete",
    "event delivery", "event publish", "registry model", "registry component",
    "compute get", "compute create", "sizes list", "usages list",
    "job create", "job get", "job list", "job children", "job cancel", "metrics read", "metrics curve",
    "model get", "model create", "model update", "endpoint list", "endpoint get", "endpoint create", "endpoint keys",
    "deployment list", "deployment get", "deployment create", "deployment delete", "deployment log", "operation get",
    "traffic update", "invoke probe", "invoke", "metric query",
)  # fmt: skip
WEBHOOK = "webhook post"  # in schedules with webhooks alone: the others make the calls that they always made
ALL = (*POINTS, WEBHOOK)
