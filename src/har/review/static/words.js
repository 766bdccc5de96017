// Times as people read them.

export function formatTime(time_s) {
  const hours = Math.floor(time_s / 3600);
  const minutes = Math.floor((time_s % 3600) / 60);
  const seconds = (time_s % 60).toFixed(2).padStart(5, "0");
  return `${hours ? `${hours}:` : ""}${String(minutes).padStart(hours ? 2 : 1, "0")}:${seconds}`;
}
