// Dark or light: as the system has it, or as chosen here.

const KEY = "hfts.ops.theme";

export function watchTheme(select) {
  select.value = document.documentElement.dataset.theme;
  select.addEventListener("change", () => {
    document.documentElement.dataset.theme = select.value;
    localStorage.setItem(KEY, select.value);
  });
}
