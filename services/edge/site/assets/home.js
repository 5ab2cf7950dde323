// The landing page: the sample names the address that the page came from, and the badge says
// whether jobs can be taken.
const sample = document.getElementById("curl");
sample.textContent = sample.textContent.replace("localhost:8000", location.host);

const copy = document.getElementById("copy");
if (navigator.clipboard) {
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(sample.textContent);
    copy.textContent = "Copied";
    setTimeout(() => { copy.textContent = "Copy"; }, 1500);
  });
}

async function showHealth() {
  const badge = document.getElementById("health");
  let serving = false;
  try {
    serving = (await fetch("/api/v1/health")).ok;
  } catch {
    // No answer is an answer: not serving.
  }
  badge.dataset.state = serving ? "serving" : "down";
  badge.textContent = serving ? "Serving: jobs are taken" : "Not serving: jobs cannot be taken now";
}
showHealth();
setInterval(showHealth, 15000);
