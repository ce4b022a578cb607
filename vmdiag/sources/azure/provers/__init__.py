"""Who can be asked to look at a VM (`--prove`), one module each, found by its name; see `proof_request.Prover`."""
