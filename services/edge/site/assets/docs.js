// Swagger UI on the document of this edge. "Try it out" is open at once and calls this origin.
// No validator: it would send the document's address to another host.
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  validatorUrl: null,
});
