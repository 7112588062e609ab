// Hides what does not fit what is typed. Everything is in the page already; nothing is asked of anybody.
const form = document.getElementById("search");
const input = document.getElementById("words");
const found = document.getElementById("found");
const items = Array.from(document.querySelectorAll(".found-in li"), (item) => [item, item.textContent.toLowerCase()]);
const show = () => {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const [item, text] of items) {
    const fits = words.every((word) => text.includes(word));
    item.hidden = !fits;
    count += fits ? 1 : 0;
  }
  for (const section of document.querySelectorAll(".found-in")) {
    section.hidden = !section.querySelector("li:not([hidden])");
  }
  found.textContent = words.length ? `${count} of ${items.length} operations` : `${items.length} operations`;
};
form.hidden = false;
form.addEventListener("submit", (event) => event.preventDefault());
input.addEventListener("input", show);
input.value = new URLSearchParams(location.search).get("q") ?? "";
show();
