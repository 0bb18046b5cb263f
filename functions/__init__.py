"""One module a trigger: parse what came in, call one thing in `shared/`, map its outcome. Heavy imports wait inside."""
