"""The same search on processes, clusters and database servers, whatever happens to them."""
