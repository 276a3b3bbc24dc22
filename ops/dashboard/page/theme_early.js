// Before anything is drawn, so that the page does not flash in the other colours. See theme.js.
document.documentElement.dataset.theme = localStorage.getItem("hfts.ops.theme") || "";
