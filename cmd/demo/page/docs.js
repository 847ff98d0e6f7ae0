// The API reference: Swagger UI over the contract that the service itself
// serves, checks requests against and is generated from.

document.documentElement.classList.toggle('dark-mode', matchMedia('(prefers-color-scheme: dark)').matches);

SwaggerUIBundle({
  url: '/openapi.yaml',
  dom_id: '#reference',
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  // Nothing is kept: an access token that is typed in is gone with the page.
  persistAuthorization: false,
});
