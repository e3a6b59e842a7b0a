"""One module per area of the HTTP surface; each exports its handlers, `qa.server.app` registers them."""
