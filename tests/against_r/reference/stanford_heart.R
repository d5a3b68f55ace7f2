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
hazard_ratio <- function(formula, rows) number(exp(coef(coxph(formula, rows))[["treated"]]))
adjusted <- list(baseline = . ~ treated + age + surgery, calendar = . ~ treated + age + surgery + year)
of <- function(outcome, set) update(as.formula(paste(outcome, "~ 1")), adjusted[[set]])

patients$treated <- patients$transplant
followed <- subset(patients, futime > 0)     # the naive comparison without the patient followed for no time
sets <- sapply(names(adjusted), function(set) {
  # everybody followed to the landmark is at risk from it on, so that a delayed entry at it changes nothing
  landmark <- sapply(c(30, 60, 90), function(mark) {
    alive <- subset(patients, futime >= mark)
    alive$treated <- as.numeric(!is.na(alive$wait.time) & alive$wait.time <= mark)
    hazard_ratio(of("Surv(day, fustat)", set), alive)
  })
  sprintf('"%s": {"time_varying": %s, "naive": %s, "naive_of_all": %s, "landmark": [%s]}', set,
    hazard_ratio(of("Surv(start, stop, event)", set), split), hazard_ratio(of("Surv(day, fustat)", set), followed),
    hazard_ratio(of("Surv(day, fustat)", set), patients), paste(landmark, collapse = ", "))
})
# whom and how many days each landmark leaves out, and the days before transplantation that the naive comparison counts as after it
marks <- c(30, 60, 90)
out <- sapply(marks, function(mark) c(sum(jasa$futime < mark), sum(jasa$futime < mark & jasa$transplant == 1),
  sum(jasa$futime) - with(subset(jasa, futime >= mark), sum(futime - mark))))
listed <- function(values) paste0("[", paste(values, collapse = ", "), "]")
reach <- sprintf('"reach": {"left_out": %s, "treated_left_out": %s, "days_left_out": %s, "days": %d, "credited": %d}',
  listed(out[1, ]), listed(out[2, ]), listed(out[3, ]), sum(jasa$futime), with(subset(jasa, transplant == 1), sum(wait.time)))
cat(sprintf('{"source": "R %s, survival %s", %s, %s}\n', paste(R.version$major, R.version$minor, sep = "."),
  packageVersion("survival"), paste(sets, collapse = ", "), reach))
