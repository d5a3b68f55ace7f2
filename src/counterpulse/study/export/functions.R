# Functions of the exported scripts. They need R >= 4.0 and, where a method asks for them, the packages named there.

options(stringsAsFactors = FALSE)
suppressPackageStartupMessages(library(survival))
repeated <- list()
kept <- NULL

read_patients <- function(path) {
  read.csv(path, colClasses = "character", check.names = FALSE, na.strings = "", encoding = "UTF-8")
}

yes_no <- function(x) ifelse(x == "yes", TRUE, ifelse(x == "no", FALSE, NA))

moment <- function(x) as.POSIXct(x, tz = "UTC", format = "%Y-%m-%dT%H:%M:%OS")

# The levels of any column as text; a yes/no is "yes" or "no", a whole number has no decimal point.
level_text <- function(x) {
  if (is.logical(x)) return(ifelse(x, "yes", "no"))
  as.character(x)
}

levels_of <- function(x) factor(x, levels = sort(unique(x), method = "radix"))

unknown_is <- function(rule, value) ifelse(is.na(rule), value, rule)

# Hours from one moment to another; whole days as soon as one of them has no time of day.
hours_between <- function(from, to) {
  if (inherits(from, "Date") || inherits(to, "Date")) {
    return(as.numeric(as.Date(to, tz = "UTC") - as.Date(from, tz = "UTC")) * 24)
  }
  as.numeric(difftime(to, from, units = "hours"))
}

first_known <- function(...) {
  result <- NULL
  for (x in list(...)) result <- if (is.null(result)) x else ifelse(is.na(result), x, result)
  result
}

earliest <- function(...) pmin(..., na.rm = TRUE)

# The rows that have every value a model needs, with the levels that occur in them.
complete <- function(data, columns) droplevels(data[complete.cases(data[, columns, drop = FALSE]), , drop = FALSE])

# -- designs ---------------------------------------------------------------------------------------------------------

# Those followed to the landmark, grouped by the treatment given by then; the clock still starts at time zero.
at_landmark <- function(sample, time, event, hours, mark, group, treated, reference) {
  began <- sample$exposure_start. / hours
  known <- !is.na(time) & !is.na(event) & !is.na(began)
  kept <- known & time >= mark
  sample <- sample[kept, , drop = FALSE]
  sample[[group]] <- factor(ifelse(began[kept] <= mark, treated, reference), levels = levels(sample[[group]]))
  sample
}

# Follow-up cut where the exposure starts: untreated before, treated after. Who is exposed on the day follow-up ends is
# exposed half a step before; who is followed for no time is followed half a step.
split_at_exposure <- function(sample, time, event, hours, half_step, group, treated, reference) {
  began <- sample$exposure_start. / hours
  known <- !is.na(sample[[time]]) & !is.na(sample[[event]]) & !is.na(began)
  sample <- sample[known, , drop = FALSE]
  began <- began[known]
  sample$row_of_origin <- seq_len(nrow(sample))
  end <- sample[[time]]
  began[began > end] <- Inf
  coincide <- began == end
  if (is.na(half_step)) {
    began[coincide] <- Inf
    kept <- end > 0
  } else {
    began[coincide] <- end[coincide] - half_step
    end[end == 0] <- half_step
    kept <- rep(TRUE, length(end))
  }
  before <- sample[kept & began > 0, , drop = FALSE]
  cut <- (began < end)[kept & began > 0]
  before$start. <- 0
  before[[time]] <- pmin(began, end)[kept & began > 0]
  before[[event]] <- before[[event]] & !cut
  cause <- sub("event$", "cause", event)
  if (!is.null(before[[cause]])) before[[cause]][cut] <- "censored"
  before[[group]] <- factor(rep(reference, nrow(before)), levels = levels(sample[[group]]))
  later <- kept & began < end
  after <- sample[later, , drop = FALSE]
  after$start. <- pmax(0, began[later])
  after[[time]] <- end[later]
  after[[group]] <- factor(rep(treated, nrow(after)), levels = levels(sample[[group]]))
  rbind(before, after)
}

# -- what is compared ------------------------------------------------------------------------------------------------

# A number as it is read; while imputed tables are gone through it is kept, with what pooling needs of it (`...`).
compare <- function(id, estimate, low = NA, high = NA, p = NA, ...) {
  shown <- data.frame(id = id, estimate = estimate, conf_low = low, conf_high = high, p_value = p)
  if (is.null(kept)) repeated[[id]] <<- shown else kept[[id]] <<- c(kept[[id]], list(list(shown = shown, ...)))
}

# A number on the scale that it is estimated on, with the interval and the test of its standard error. `complete` are the degrees
# of freedom that it would have without missing values.
put <- function(id, value, error = NA, level = 0.95, natural = identity, df = Inf, tested = TRUE, complete = NULL) {
  if (is.null(id)) return(invisible(NULL))
  reach <- qt(1 - (1 - level) / 2, df) * error
  compare(id, natural(value), natural(value - reach), natural(value + reach), if (tested) 2 * pt(-abs(value / error), df) else NA,
          value = value, error = error, level = level, natural = natural,
          df = if (!is.null(complete)) complete else if (tested) df else Inf)
}

# A method that fails, or whose package is not installed, is reported at the end and stops nothing.
attempt <- function(what, code, packages = character()) {
  absent <- Filter(function(package) !requireNamespace(package, quietly = TRUE), packages)
  if (length(absent)) {
    message(what, ": not repeated, not installed: ", paste(absent, collapse = ", "))
    return(invisible(NULL))
  }
  tryCatch(code, error = function(e) message(what, ": ", conditionMessage(e)), finally = kept <<- NULL)
  invisible(NULL)
}

# -- standardization -------------------------------------------------------------------------------------------------

# Mean risk of some rows under one level of a variable, with the influence of each row on it (Stefanski and Boos 2002).
standardized_risk <- function(fit, data, variable, level, among) {
  everybody <- data
  everybody[[variable]] <- factor(rep(level, nrow(data)), levels = levels(data[[variable]]))
  X <- model.matrix(delete.response(terms(fit)), everybody, xlev = fit$xlevels)
  risk <- plogis(drop(X %*% coef(fit)))
  gradient <- colMeans((X * risk * (1 - risk))[among, , drop = FALSE])
  mean_risk <- mean(risk[among])
  scores <- model.matrix(fit) * (fit$y - fitted(fit))
  influence <- among * (risk - mean_risk) / mean(among) + nrow(data) * drop(scores %*% (summary(fit)$cov.unscaled %*% gradient))
  list(risk = mean_risk, influence = influence)
}

influence_variance <- function(influence, cluster = NULL) {
  n <- length(influence)
  if (is.null(cluster)) return(sum(influence^2) / n^2)
  sums <- rowsum(influence, cluster)
  length(sums) / (length(sums) - 1) * sum(sums^2) / n^2
}

# `given` is the variance by cluster that is asked for; t has one degree of freedom less than clusters where that is CR2.
standardized <- function(ids, fit, data, variable, treated, reference, level, cluster = NULL, given = NULL,
                         target = "all") {
  among <- switch(target, all = rep(TRUE, nrow(data)), treated = data[[variable]] == treated, untreated = data[[variable]] == reference)
  one <- standardized_risk(fit, data, variable, treated, among)
  other <- standardized_risk(fit, data, variable, reference, among)
  number <- length(unique(cluster))
  small <- if (is.null(given)) number < few_clusters else given == "CR2"
  df <- if (!is.null(cluster) && small) number - 1 else Inf
  few <- !is.null(cluster) && is.null(given) && number < too_few_clusters
  with_error <- function(id, value, influence, natural, tested = TRUE) {
    put(id, value, if (few) NA else sqrt(influence_variance(influence, cluster)), level, natural, df, tested)
  }
  logits <- function(x) x$influence / (x$risk * (1 - x$risk))
  with_error(ids$difference, one$risk - other$risk, one$influence - other$influence, identity)
  with_error(ids$ratio, log(one$risk / other$risk), one$influence / one$risk - other$influence / other$risk, exp)
  with_error(ids$odds, qlogis(one$risk) - qlogis(other$risk), logits(one) - logits(other), exp)
  with_error(ids$treated, qlogis(one$risk), logits(one), plogis, tested = FALSE)
  with_error(ids$reference, qlogis(other$risk), logits(other), plogis, tested = FALSE)
}

# -- curves ----------------------------------------------------------------------------------------------------------

# Survival of one group at a time: value and Greenwood standard error (0 where nobody has died yet).
survival_at <- function(time, event, at, level, conf_type) {
  fit <- survfit(Surv(time, event) ~ 1, conf.type = conf_type, conf.int = level)
  now <- summary(fit, times = at, extend = TRUE)
  list(risk = 1 - now$surv, error = now$std.err, low = 1 - now$upper, high = 1 - now$lower, fit = fit)
}

risk_contrasts <- function(ids, data, time, event, group, treated, reference, at, level, conf_type) {
  part <- function(g) survival_at(data[[time]][data[[group]] == g], data[[event]][data[[group]] == g], at, level, conf_type)
  one <- part(treated)
  other <- part(reference)
  q <- qnorm(1 - (1 - level) / 2)
  if (!is.null(ids$difference)) {
    value <- one$risk - other$risk
    error <- sqrt(one$error^2 + other$error^2)
    compare(ids$difference, value, value - q * error, value + q * error, 2 * pnorm(-abs(value / error)))
  }
  if (!is.null(ids$ratio)) {
    value <- log(one$risk / other$risk)
    error <- sqrt((one$error / one$risk)^2 + (other$error / other$risk)^2)
    compare(ids$ratio, exp(value), exp(value - q * error), exp(value + q * error), 2 * pnorm(-abs(value / error)))
  }
  if (!is.null(ids$treated)) compare(ids$treated, one$risk, one$low, one$high)
  if (!is.null(ids$reference)) compare(ids$reference, other$risk, other$low, other$high)
}

group_risk <- function(id, data, time, event, at, level, conf_type) {
  one <- survival_at(data[[time]], data[[event]], at, level, conf_type)
  compare(id, one$risk, one$low, one$high)
}

median_time <- function(id, data, time, event, level, conf_type) {
  fit <- survfit(Surv(data[[time]], data[[event]]) ~ 1, conf.type = conf_type, conf.int = level)
  found <- quantile(fit, 0.5)
  compare(id, found$quantile[[1]], found$lower[[1]], found$upper[[1]])
}

# Restricted mean survival time to tau, with the variance of Klein and Moeschberger.
restricted_mean <- function(time, event, tau) {
  fit <- survfit(Surv(time, event) ~ 1)
  inside <- fit$time <= tau
  times <- c(0, fit$time[inside], tau)
  surv <- c(1, fit$surv[inside])
  areas <- diff(times) * surv
  remaining <- rev(cumsum(rev(areas[-1])))
  d <- fit$n.event[inside]
  n <- fit$n.risk[inside]
  list(mean = sum(areas), variance = sum(ifelse(n > d, remaining^2 * d / (n * (n - d)), 0)))
}

mean_time_contrasts <- function(ids, data, time, event, group, treated, reference, tau, level) {
  part <- function(g) restricted_mean(data[[time]][data[[group]] == g], data[[event]][data[[group]] == g], tau)
  one <- part(treated)
  other <- part(reference)
  q <- qnorm(1 - (1 - level) / 2)
  put <- function(id, value, error, natural) {
    compare(id, natural(value), natural(value - q * error), natural(value + q * error), 2 * pnorm(-abs(value / error)))
  }
  if (!is.null(ids$difference)) put(ids$difference, one$mean - other$mean, sqrt(one$variance + other$variance), identity)
  if (!is.null(ids$ratio)) {
    put(ids$ratio, log(one$mean / other$mean), sqrt(one$variance / one$mean^2 + other$variance / other$mean^2), exp)
  }
  if (!is.null(ids$treated)) compare(ids$treated, one$mean)
  if (!is.null(ids$reference)) compare(ids$reference, other$mean)
}

# -- two groups ------------------------------------------------------------------------------------------------------

wilson <- function(events, n, level) {
  z <- qnorm(1 - (1 - level) / 2)
  p <- events / n
  middle <- (p + z^2 / (2 * n)) / (1 + z^2 / n)
  reach <- z * sqrt(p * (1 - p) / n + z^2 / (4 * n^2)) / (1 + z^2 / n)
  c(middle - reach, middle + reach)
}

# Risk difference with Newcombe's interval (1998, method 10), or Wald's; P of Pearson's chi-squared without correction.
proportions <- function(id, events, n, measure, level, interval) {
  p <- events / n
  z <- qnorm(1 - (1 - level) / 2)
  test <- suppressWarnings(chisq.test(rbind(events, n - events), correct = FALSE))$p.value
  if (measure == "risk difference") {
    value <- p[1] - p[2]
    one <- wilson(events[1], n[1], level)
    other <- wilson(events[2], n[2], level)
    ends <- if (interval == "newcombe") {
      value + c(-1, 1) * sqrt(c((p[1] - one[1])^2 + (other[2] - p[2])^2, (one[2] - p[1])^2 + (p[2] - other[1])^2))
    } else if (interval == "wald") {
      value + c(-1, 1) * z * sqrt(sum(p * (1 - p) / n))
    } else c(NA, NA)
    return(compare(id, value, ends[1], ends[2], if (interval == "newcombe") test else NA))
  }
  value <- if (measure == "risk ratio") p[1] / p[2] else (p[1] / (1 - p[1])) / (p[2] / (1 - p[2]))
  compare(id, value)
}

# -- splines ---------------------------------------------------------------------------------------------------------

# Harrell's quantiles; with fewer than 100 values the outer knots are the 5th smallest and the 5th largest value.
spline_knots <- function(x, knots) {
  if (length(knots) > 1) return(knots)
  tail <- if (knots == 3) 0.1 else if (knots <= 6) 0.05 else 0.025
  at <- as.numeric(quantile(x, seq(tail, 1 - tail, length.out = knots)))
  if (length(x) < 100) at[c(1, knots)] <- c(sort(x)[5], sort(x, decreasing = TRUE)[5])
  at
}

spline_names <- function(name, knots) paste0(name, "_s", seq_len((if (length(knots) > 1) length(knots) else knots) - 1))

# Restricted cubic spline, Harrell's basis divided by the square of the distance of the outer knots.
spline_columns <- function(x, knots, from = x) {
  t <- spline_knots(from, knots)
  k <- length(t)
  cube <- function(v) pmax(v, 0)^3
  columns <- list(x)
  for (j in seq_len(k - 2)) {
    columns[[j + 1]] <- (cube(x - t[j]) - cube(x - t[k - 1]) * (t[k] - t[j]) / (t[k] - t[k - 1]) +
      cube(x - t[k]) * (t[k - 1] - t[j]) / (t[k] - t[k - 1])) / (t[k] - t[1])^2
  }
  columns
}

# -- the end ---------------------------------------------------------------------------------------------------------

same <- function(one, other, tolerance) {
  one == other | abs(one - other) <= tolerance * pmax(abs(one), abs(other)) | abs(one - other) <= 1e-9
}

# What was compared, and whether it agrees: a number that one of the two does not have is not compared.
finish <- function(path) {
  expected <- read.csv(path)
  none <- data.frame(id = character(), estimate = numeric(), conf_low = numeric(), conf_high = numeric(), p_value = numeric())
  found <- if (length(repeated)) do.call(rbind, repeated) else none
  both <- merge(expected, found, by = "id", suffixes = c("", ".r"), all.x = TRUE, sort = FALSE)
  columns <- c("estimate", "conf_low", "conf_high", "p_value")
  compared <- vapply(columns, function(name) !is.na(both[[name]]) & !is.na(both[[paste0(name, ".r")]]), logical(nrow(both)))
  agree <- vapply(columns, function(name) same(both[[name]], both[[paste0(name, ".r")]], both$tolerance), logical(nrow(both)))
  compared <- matrix(compared, nrow(both))
  apart <- compared & !(matrix(agree, nrow(both)) %in% TRUE)
  both$compared <- apply(compared, 1, function(row) paste(columns[row], collapse = " "))
  # a number that does not exist, as a median that is not reached, exists in neither program
  without <- rowSums(!is.na(both[columns]) | !is.na(both[paste0(columns, ".r")])) == 0 & both$id %in% found$id
  both$result <- ifelse(both$compared == "" & !without, "not repeated", ifelse(rowSums(apart) > 0, "DIFFERS", "agrees"))
  write.csv(both, "compared.csv", row.names = FALSE, na = "")
  print(table(factor(both$result, c("agrees", "DIFFERS", "not repeated"))))
  if (any(both$result == "DIFFERS")) {
    print(both[both$result == "DIFFERS", c("id", "estimate", "estimate.r", "conf_low", "conf_low.r", "p_value", "p_value.r")])
    quit(status = 1)
  }
}
