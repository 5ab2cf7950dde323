// ReDoc on the document of this edge, with the system's own fonts: its defaults are fetched from
// another host.
const fonts = "system-ui, -apple-system, 'Segoe UI', sans-serif";
Redoc.init(
  "/openapi.json",
  { theme: { typography: { fontFamily: fonts, headings: { fontFamily: fonts } } } },
  document.getElementById("redoc"),
);
