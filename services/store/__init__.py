"""The store: it alone touches Postgres, and every decision about a job is made here."""
