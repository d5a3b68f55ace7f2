# The hazard ratios of the example study, by R's survival package, from its own copy of the published table.
# Run: Rscript stanford_heart.R > stanford_heart.json
suppressMessages(library(survival))
patients <- jasa
patients$year <- as.numeric(patients$accept.dt - as.Date("1967-10-01")) / 365.25
patients$day <- pmax(patients$futime, 0.5)   # one patient died on the day of acceptance
start <- patients$wait.time                  # one died on the day of the transplant: the transplant came half a day before
same <- !is.na(start) & start == patients$futime
start[same] <- start[same] - 0.5

split <- do.call(rbind, lapply(seq_len(nrow(patients)), function(row) {
  p <- patients[row, ]
  about <- p[c("age", "surgery", "year")]
  if (is.na(start[row])) return(cbind(start = 0, stop = p$day, event = p$fustat, treated = 0, about))
  if (start[row] <= 0) return(cbind(start = 0, stop = p$day, event = p$fustat, treated = 1, about))
  rbind(cbind(start = 0, stop = start[row], event = 0, treated = 0, about),
        cbind(start = start[row], stop = p$day, event = p$fustat, treated = 1, about))
}))
number <- function(x) sprintf("%.17g", x)
hazard_ratio <- function(model) number(exp(coef(model)[["treated"]]))

varying <- coxph(Surv(start, stop, event) ~ treated + age + surgery + year, split)
patients$treated <- patients$transplant
naive <- coxph(Surv(day, fustat) ~ treated + age + surgery + year, patients)
# everybody followed to the landmark is at risk from it on, so that a delayed entry at it changes nothing
landmark <- sapply(c(30, 60, 90), function(mark) {
  alive <- subset(patients, futime >= mark)
  alive$treated <- as.numeric(!is.na(alive$wait.time) & alive$wait.time <= mark)
  hazard_ratio(coxph(Surv(day, fustat) ~ treated + age + surgery + year, alive))
})
cat(sprintf('{"source": "R %s, survival %s", "time_varying": %s, "naive": %s, "landmark": [%s]}\n',
  paste(R.version$major, R.version$minor, sep = "."), packageVersion("survival"), hazard_ratio(varying), hazard_ratio(naive),
  paste(landmark, collapse = ", ")))
