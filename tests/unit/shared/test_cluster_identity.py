from shared.azure.workspace.computes import SCALE_DOWN_SECONDS, cluster

IDENTITY = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-train"


def test_a_cluster_that_the_app_makes_runs_as_the_identity_that_may_read_snapshots() -> None:
    body = cluster("gpu-cluster", "Standard_NC24ads_A100_v4", 2, {"droptune": "compute"}, IDENTITY)._to_rest_object()
    assert body.identity.type == "UserAssigned"
    assert list(body.identity.user_assigned_identities) == [IDENTITY]
    scale = body.properties.properties.scale_settings
    assert (scale.min_node_count, scale.max_node_count) == (0, 2)
    assert scale.node_idle_time_before_scale_down.total_seconds() == SCALE_DOWN_SECONDS


def test_without_one_it_has_none() -> None:
    assert cluster("c", "Standard_DS3_v2", 1, {}, "")._to_rest_object().identity is None
