"""A Hub on the loopback interface, for tests: real HTTP, to which unmodified clients speak.

It knows models only, and no Xet: the tests turn the clients' Xet path off. What it answers is what the public Hub
answers, as far as the clients read it.

    def test_pull(hub, tmp_path):                       # the fixture: this process and its children speak to it
        ada = hub.user("ada", orgs=("org",))            # ada.token
        repo = hub.repo("org/m", {"config.json": b"{}", "model.safetensors": b"..."}, private=True)
        repo.commit({"config.json": b"[]"}); repo.tag("v1")
        rule = hub.fail(faults.status(503), "GET", "*config.json", times=2)
        subprocess.run(..., env=hub.environment(tmp_path / "home", ada.token))
        assert rule.hits == 2
        assert all(request.token is None for request in hub.asked(side="cdn"))
"""
