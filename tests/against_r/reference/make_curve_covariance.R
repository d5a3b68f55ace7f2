# Risks at a time and restricted means with weights and clusters that lie across groups: covariances from the influence values of
# survfit(). Makes reference/curve_covariance.json. Run from the root of the repository: Rscript tests/against_r/reference/make_curve_covariance.R
suppressMessages({library(jsonlite); library(survival)})
set.seed(11)
h <- heart; h$w <- round(runif(nrow(h), 0.3, 3), 3); h$transplant <- as.integer(as.character(h$transplant))
l <- lung[, c("time", "status", "sex")]; l$w <- round(runif(nrow(l), 0.3, 3), 3); l$k <- sample(1:3, nrow(l), TRUE); l$pair <- sample(rep(1:114, 2))
read <- function(s, group, id, at, tau) {
  ids <- sort(unique(id)); n <- length(s$strata); ends <- cumsum(s$strata); starts <- ends - s$strata + 1
  S <- m <- numeric(n); I <- J <- matrix(0, length(ids), n)
  for (g in seq_len(n)) {
    i <- starts[g]:ends[g]; t <- s$time[i]; v <- s$surv[i]; U <- s$influence.surv[[g]]; who <- match(sort(unique(id[group == g])), ids)
    stopifnot(nrow(U) == length(who))
    k <- sum(t <= at); S[g] <- v[k]; I[who, g] <- U[, k]
    keep <- t < tau; width <- diff(c(0, t[keep], tau)); m[g] <- sum(width * c(1, v[keep])); J[who, g] <- U[, keep] %*% width[-1]
  }
  list(survival = S, survival_covariance = crossprod(I), mean = m, mean_covariance = crossprod(J))
}
l$row <- seq_len(nrow(l))
out <- list(
  versions = list(R = R.version.string, survival = as.character(packageVersion("survival"))),
  heart = h[, c("start", "stop", "event", "transplant", "id", "w")], lung = l,
  lung_pairs = read(survfit(Surv(time, status) ~ sex, l, weights = w, cluster = pair, robust = TRUE, influence = 1), l$sex, l$pair, 365, 500),
  lung_unweighted_pairs = read(survfit(Surv(time, status) ~ sex, l, cluster = pair, robust = TRUE, influence = 1), l$sex, l$pair, 365, 500),
  lung_rows = read(survfit(Surv(time, status) ~ sex, l, weights = w, cluster = row, robust = TRUE, influence = 1), l$sex, l$row, 365, 500),
  heart_patients = read(survfit(Surv(start, stop, event) ~ transplant, h, weights = w, cluster = id, robust = TRUE, influence = 1),
                        h$transplant + 1, h$id, 180, 400))
writeLines(toJSON(out, digits = I(17), auto_unbox = TRUE, na = "null", dataframe = "columns"), "tests/against_r/reference/curve_covariance.json")
