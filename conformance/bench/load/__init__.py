"""The load generators: wrk for many small requests, curl and sendfile for large bodies."""
