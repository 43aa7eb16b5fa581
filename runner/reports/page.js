// The page is whole without this: it hides rows, and tells times in the reader's zone.
"use strict";
const jobs = [...document.querySelectorAll(".job")];
const words = document.querySelector("#words");
const bad = document.querySelector("#bad");

function filter() {
  const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const job of jobs) {
    const text = job.dataset.words;
    job.hidden = (bad.checked && job.dataset.good === "1") || !wanted.every((w) => text.includes(w));
  }
}

function openTarget() {
  const target = document.getElementById(location.hash.slice(1));
  if (target?.matches(".job")) {
    target.hidden = false;
    target.open = true;
    target.scrollIntoView({ block: "center" });
  }
}

document.querySelector(".filter").hidden = false;
words.addEventListener("input", filter);
bad.addEventListener("change", filter);
addEventListener("hashchange", openTarget);
for (const time of document.querySelectorAll("time")) {
  time.textContent = new Date(time.dateTime).toLocaleString();
}
openTarget();
