# -- competing events ------------------------------------------------------------------------------------------------

# The Aalen-Johansen curve of the event in one group, with its standard error at a time.
incidence_curve <- function(data, time, cause, level, conf_type) {
  state <- factor(data[[cause]], c("censored", "event", "competing"))
  fit <- survfit(Surv(data[[time]], state) ~ 1, id = seq_len(nrow(data)), conf.type = conf_type, conf.int = level)
  column <- match("event", fit$states)
  list(time = fit$time, value = fit$pstate[, column], error = fit$std.err[, column], low = fit$lower[, column],
       high = fit$upper[, column])
}

incidence_at <- function(data, time, cause, at, level, conf_type, variance) {
  curve <- incidence_curve(data, time, cause, level, conf_type)
  last <- max(which(curve$time <= at), 0)
  if (last == 0) return(list(value = 0, error = 0, low = NA, high = NA))
  found <- lapply(curve[c("value", "error", "low", "high")], function(column) column[last])
  if (variance == "aalen") {
    codes <- match(data[[cause]], c("event", "competing"), nomatch = 0)
    other <- cmprsk::timepoints(cmprsk::cuminc(data[[time]], codes), at)
    found <- list(value = found$value, error = sqrt(other$var["1 1", 1]), low = NA, high = NA)
  }
  found
}

cumulative_incidence <- function(id, data, time, cause, at, level, conf_type, variance) {
  found <- incidence_at(data, time, cause, at, level, conf_type, variance)
  compare(id, found$value, found$low, found$high)
}

incidence_contrast <- function(id, one, other, time, cause, at, level, conf_type, variance, ratio) {
  treated <- incidence_at(one, time, cause, at, level, conf_type, variance)
  reference <- incidence_at(other, time, cause, at, level, conf_type, variance)
  value <- if (ratio) log(treated$value / reference$value) else treated$value - reference$value
  error <- if (ratio) sqrt((treated$error / treated$value)^2 + (reference$error / reference$value)^2) else
    sqrt(treated$error^2 + reference$error^2)
  natural <- if (ratio) exp else identity
  reach <- qnorm(1 - (1 - level) / 2) * error
  compare(id, natural(value), natural(value - reach), natural(value + reach), 2 * pnorm(-abs(value / error)))
}

# Gray's test of the event between groups.
gray_test <- function(id, data, time, cause, group, strata = rep(1, nrow(data))) {
  codes <- match(data[[cause]], c("event", "competing"), nomatch = 0)
  tests <- cmprsk::cuminc(data[[time]], codes, data[[group]], strata = strata)$Tests
  compare(id, NA, p = tests["1", "pv"])
}

incidence_median <- function(id, data, time, cause, level, conf_type) {
  curve <- incidence_curve(data, time, cause, level, conf_type)
  crossing <- function(values) {
    values[is.na(values)] <- 0
    reached <- which(values >= 0.5 - 1e-12)
    if (!length(reached)) return(NA)
    first <- reached[1]
    if (values[first] > 0.5 + 1e-12) return(curve$time[first])
    beyond <- which(values > values[first] + 1e-12)
    (curve$time[first] + curve$time[if (length(beyond)) beyond[1] else length(values)]) / 2
  }
  compare(id, crossing(curve$value), crossing(curve$high), crossing(curve$low))
}

# -- ranks with death worst ------------------------------------------------------------------------------------------

# Values of which larger is better, the dead below everybody, among themselves by the time of death where that counts.
ranked_with_death <- function(value, dead, better, died_at = NULL) {
  score <- if (better == "higher") value else -value
  worst <- if (all(dead)) 0 else min(score[!dead])
  score[dead] <- if (is.null(died_at)) worst - 1 else worst - 1 - (max(died_at[dead]) - died_at[dead])
  score
}

# How often a patient of one group fares better than one of the other; the variance is DeLong's.
win_odds <- function(id, one, other, level, odds) {
  wins <- (sign(outer(one, other, "-")) + 1) / 2
  p <- mean(wins)
  error <- sqrt(var(rowMeans(wins)) / length(one) + var(colMeans(wins)) / length(other))
  reach <- qnorm(1 - (1 - level) / 2) * error / (p * (1 - p))
  test <- wilcox.test(one, other, exact = FALSE, correct = TRUE)$p.value
  natural <- if (odds) exp else plogis
  compare(id, natural(qlogis(p)), natural(qlogis(p) - reach), natural(qlogis(p) + reach), test)
}

median_with_death <- function(value, dead, better) {
  place <- order(ifelse(dead, Inf, if (better == "lower") value else -value))
  middle <- place[c(floor((length(place) + 1) / 2), floor(length(place) / 2) + 1)]
  if (any(dead[middle])) NA else mean(value[middle])
}

# The difference of medians; its interval inverts the rank test with the dead far away. Where values repeat, the vertices
# that rq() walks along are not unique and its limits are not those of the test: then the difference alone is compared.
median_difference <- function(id, value, dead, treated, better, level) {
  difference <- median_with_death(value[treated], dead[treated], better) - median_with_death(value[!treated], dead[!treated], better)
  if (anyDuplicated(value[!dead])) return(compare(id, difference))
  alive <- range(value[!dead])
  span <- if (diff(alive) > 0) diff(alive) else 1
  value[dead] <- if (better == "lower") alive[2] + 1000 * span else alive[1] - 1000 * span
  found <- noticing(quantreg::rq(value ~ treated, tau = 0.5, method = "br"))
  if (!found$unique) return(compare(id, difference))
  fit <- found$fit
  found <- noticing(summary(fit, se = "rank", alpha = 1 - level)$coefficients[2, 2:3])
  ends <- if (found$unique) found$fit else c(NA, NA)
  ends[which(abs(ends) > span)] <- NA
  compare(id, difference, ends[[1]], ends[[2]])
}

# -- exact -----------------------------------------------------------------------------------------------------------

# The conditional odds ratio of two groups: maximum likelihood, each tail half of one less the level, twice the smaller tail.
exact_odds_ratio <- function(id, event, treated, level) {
  a <- sum(event & treated)
  m <- sum(treated)
  n <- sum(!treated)
  k <- sum(event)
  support <- max(0, k - n):min(k, m)
  if (a == min(support) || a == max(support)) return(invisible(NULL))
  density <- function(theta) {
    logs <- dhyper(support, m, n, k, log = TRUE) + theta * support
    weights <- exp(logs - max(logs))
    weights / sum(weights)
  }
  root <- function(f) uniroot(f, c(-30, 30), tol = 1e-13)$root
  half <- (1 - level) / 2
  upper <- function(theta) sum(density(theta)[support >= a])
  lower <- function(theta) sum(density(theta)[support <= a])
  compare(id, exp(root(function(theta) sum(density(theta) * support) - a)), exp(root(function(theta) upper(theta) - half)),
          exp(root(function(theta) lower(theta) - half)), min(1, 2 * min(upper(0), lower(0))))
}

# -- predictions -----------------------------------------------------------------------------------------------------

discrimination <- function(id, event, score, level, logit = FALSE) {
  curve <- pROC::roc(event, score, levels = c(FALSE, TRUE), direction = "<", quiet = TRUE)
  value <- as.numeric(pROC::auc(curve))
  error <- sqrt(pROC::var(curve, method = "delong"))
  reach <- qnorm(1 - (1 - level) / 2) * error
  if (logit) return(put(id, qlogis(value), error / (value * (1 - value)), level, plogis, tested = FALSE))
  ends <- pmin(1, pmax(0, value + c(-1, 1) * reach))
  compare(id, value, ends[1], ends[2], value = value, error = error, level = level, natural = identity, df = Inf)
}

discrimination_difference <- function(id, event, score, other, level) {
  curve <- function(x) pROC::roc(event, x, levels = c(FALSE, TRUE), direction = "<", quiet = TRUE)
  one <- curve(score)
  two <- curve(other)
  value <- as.numeric(pROC::auc(one)) - as.numeric(pROC::auc(two))
  error <- sqrt(pROC::var(one) + pROC::var(two) - 2 * pROC::cov(one, two))
  put(id, value, error, level)
}

tight <- glm.control(epsilon = 1e-14, maxit = 100)

recalibrated <- function(event, score) unname(fitted(glm(event ~ score, family = binomial, control = tight)))

# Calibration, accuracy and net benefit of predicted risks; each by its name.
accuracy <- function(ids, event, risk, level) {
  y <- as.numeric(event)
  n <- length(y)
  named <- function(name, value, error, natural = identity) put(ids[[name]], value, error, level, natural, tested = FALSE)
  loss <- (risk - y)^2
  null <- mean(y) * (1 - mean(y))
  influence <- -(loss - mean(loss)) / null + mean(loss) / null^2 * (1 - 2 * mean(y)) * (y - mean(y))
  named("Brier score", mean(loss), sd(loss) / sqrt(n))
  named("scaled Brier score", 1 - mean(loss) / null, sd(influence) / sqrt(n))
  named("expected/observed ratio", log(sum(risk) / sum(y)), sqrt((1 - mean(y)) / sum(y)), exp)
  smooth <- loess(y ~ risk, control = loess.control(surface = "direct"))
  apart <- abs(predict(smooth, risk) - risk)
  distances <- list(`integrated calibration index` = mean(apart), E50 = quantile(apart, 0.5)[[1]], E90 = quantile(apart, 0.9)[[1]])
  for (name in intersect(names(distances), names(ids))) compare(ids[[name]], distances[[name]])
  if (any(risk <= 0 | risk >= 1)) return(invisible(NULL))
  predictor <- qlogis(risk)
  large <- glm(y ~ offset(predictor), family = binomial, control = tight)
  slope <- glm(y ~ predictor, family = binomial, control = tight)
  named("calibration intercept", coef(large)[[1]], sqrt(vcov(large)[1, 1]))
  named("calibration slope", coef(slope)[[2]], sqrt(vcov(slope)[2, 2]))
}

net_benefit <- function(id, event, risk, threshold, level) {
  benefit <- ifelse(risk >= threshold, ifelse(event, 1, -threshold / (1 - threshold)), 0)
  error <- sqrt(mean((benefit - mean(benefit))^2) / length(benefit))
  put(id, mean(benefit), error, level, tested = FALSE)
}

# -- repeated measurements -------------------------------------------------------------------------------------------

# Each patient with every measurement, in the order of time; `row.` is the patient.
measured <- function(sample, path, name, time, from = -Inf) {
  all <- read.csv(path)
  all <- all[all$outcome == name & all$hours >= from, ]
  found <- merge(sample[setdiff(names(sample), c(name, time))], all, by.x = "row.", by.y = "patient", sort = FALSE)
  found[[name]] <- found$value
  found[[time]] <- found$hours
  found[order(found$row., found[[time]], found$order), , drop = FALSE]
}
