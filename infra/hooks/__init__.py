"""What `azd` runs around its own steps; standard library only, since no environment of ours is there then."""
