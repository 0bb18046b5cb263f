"""Is everything there that droptune needs, and if not, which command mends it? Behind `droptune doctor`.

`app.py` asks as the function app's identity, `here.py` as whoever runs the command; each check is a `Finding`.
"""
