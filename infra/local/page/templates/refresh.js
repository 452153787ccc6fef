// Brings the page up to date every two seconds, and leaves open what the reader opened.
const opened = () => [...document.querySelectorAll("details[open]")].map((each) => each.id);

async function refresh() {
  const state = document.getElementById("state");
  try {
    const answer = await fetch("/", { cache: "no-store" });
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const open = opened();
    for (const id of open) fresh.getElementById(id)?.setAttribute("open", "");
    if (!document.getSelection()?.toString()) {
      document.getElementById("cloud").replaceWith(fresh.getElementById("cloud"));
    }
    state.textContent = "live";
  } catch {
    state.textContent = "the cloud does not answer";
  }
}

setInterval(refresh, 2000);
