# Makes reference/cox_profile.json: profile intervals of coxph, double-programmed by root finding on coxph with an offset.
# Run from the root of the repository: Rscript tests/against_r/reference/make_cox_profile.R
suppressMessages({library(jsonlite); library(survival)})
options(warn = -1)
read <- function(name) read.csv(paste0("../shared/data/", name), stringsAsFactors = FALSE)
tight <- coxph.control(eps = 1e-14, toler.chol = 1e-15, iter.max = 100)
profile_of <- function(time, data, terms, ties) {
  fit <- coxph(as.formula(paste(time, "~", paste(terms, collapse = "+"))), data = data, ties = ties, control = tight)
  top <- fit$loglik[2]; se <- sqrt(diag(fit$var))
  one <- function(j) {
    rest <- terms[-j]
    at <- function(b) {
      data$held <- b * data[[terms[j]]]
      f <- coxph(as.formula(paste(time, "~", paste(c(rest, "offset(held)"), collapse = "+"))), data = data, ties = ties, control = tight)
      tail(f$loglik, 1)
    }
    target <- function(b) 2 * (top - at(b)) - qchisq(0.95, 1)
    b <- coef(fit)[j]
    c(uniroot(target, c(b - 6 * se[j], b), tol = 1e-13)$root, uniroot(target, c(b, b + 6 * se[j]), tol = 1e-13)$root, 2 * (top - at(0)))
  }
  list(terms = terms, ties = ties, coefficients = unname(coef(fit)), profile = t(sapply(seq_along(terms), one)))
}
lung <- read("lung.csv"); lung <- lung[complete.cases(lung[, c("age", "sex", "ph.ecog")]), ]
failure <- read("heart_failure_clinical_records.csv")
heart <- read("heart.csv")
out <- list(
  versions = list(R = R.version.string, survival = as.character(packageVersion("survival"))),
  lung = profile_of("Surv(time, status)", lung, c("age", "sex", "ph.ecog"), "efron"),
  lung_breslow = profile_of("Surv(time, status)", lung, c("age", "sex", "ph.ecog"), "breslow"),
  failure = profile_of("Surv(time, DEATH_EVENT)", failure, c("age", "ejection_fraction", "serum_creatinine"), "efron"),
  heart = profile_of("Surv(start, stop, event)", heart, c("age", "surgery", "year"), "efron")
)
writeLines(toJSON(out, digits = I(17), auto_unbox = TRUE), "tests/against_r/reference/cox_profile.json")
