# -- matched and weighted patients -----------------------------------------------------------------------------------

# The sample with the weight and the matched set of everybody, as they are given; 0 for who is not used.
balanced_patients <- function(sample, file, part, table) {
  own <- filled_in(file)
  own <- own[own$part == part & own$.imputation == table, , drop = FALSE]
  at <- match(sample$row., as.integer(own$row.))
  sample$weight. <- ifelse(is.na(at), 0, as.numeric(own$weight.)[at])
  sample$unit. <- as.integer(own$unit.)[at]
  sample
}

# Weights from a logistic score of two groups: whom they stand for over the probability of the treatment received. With them
# come the parameters that they were estimated from: the influence of each row on these, and how its weight moves with them
# (rates times X). Thresholds count as given.
weights_of <- function(d, score, group, treated, target, stabilize = FALSE, trim = NULL, trim_percentile = NULL, truncate = NULL) {
  d$a. <- a <- as.numeric(d[[group]] == treated)
  fit <- glm(as.formula(paste("a. ~", score)), binomial, d, control = tight)
  e <- unname(fitted(fit))
  tilt <- switch(target, all = 1, treated = e, untreated = 1 - e, overlap = e * (1 - e), matched = pmin(e, 1 - e))
  pull <- switch(target, all = e, treated = 1, untreated = 0, overlap = 1 - e, matched = as.numeric(e < 1 - e))
  used <- rep(TRUE, length(e))
  if (!is.null(trim)) used <- used & pmin(e, 1 - e) >= trim
  if (!is.null(trim_percentile)) used <- used & within_percentiles(e, a, trim_percentile) & within_percentiles(1 - e, 1 - a, trim_percentile)
  w <- ifelse(used, tilt / ifelse(a == 1, e, 1 - e), 0)
  held <- rep(FALSE, length(e))
  if (!is.null(truncate)) for (arm in 0:1) {
    most <- quantile(w[a == arm & w > 0], truncate / 100)
    held <- held | (a == arm & w > most)
    w <- ifelse(a == arm, pmin(w, most), w)
  }
  member <- cbind(a == 0, a == 1) & w > 0
  share <- colSums(member) / sum(member)
  if (stabilize) w <- w * share[a + 1]
  X <- model.matrix(fit)[, !is.na(coef(fit)), drop = FALSE]
  sources <- list(list(influence = (X * (a - e)) %*% summary(fit)$cov.unscaled, X = X, rates = cbind(ifelse(held, 0, w) * (pull - a))))
  if (stabilize) sources[[2]] <- list(
    influence = (member - outer(w > 0, share)) / rep(share * sum(member), each = length(w)), X = matrix(1, length(w), 1), rates = member * w
  )
  list(weights = w, sources = sources)
}

within_percentiles <- function(e, a, percentile) {
  e >= quantile(e[a == 1], percentile / 100) & e <= quantile(e[a == 0], 1 - percentile / 100)
}

# The influence of each row, by way of the weights, on what has these derivatives in the weights.
carried <- function(source, by_weight) {
  slopes <- lapply(seq_len(ncol(source$rates)), function(j) crossprod(source$X, source$rates[, j] * by_weight))
  source$influence %*% do.call(rbind, slopes)
}

# The means (risks) of an outcome in two groups, and what is read off them. The variance is robust to matched sets, or stacks
# the equations of the weights under those of the means; with clusters it is robust to these (and to sets, both ways).
compared_means <- function(ids, d, y, group, treated, reference, level, sources = list(), cluster = NULL, variance = TRUE) {
  value <- as.numeric(d[[y]])
  used <- d$weight. > 0 & !is.na(value)
  risks <- is.logical(d[[y]]) || all(value[!is.na(value)] %in% 0:1)
  pair <- lapply(c(treated, reference), function(own) {
    w <- ifelse(used & d[[group]] == own, d$weight., 0)
    middle <- sum(w * ifelse(used, value, 0)) / sum(w)
    list(mean = middle, by_weight = ifelse(w > 0, value - middle, 0) / sum(w))
  })
  means <- vapply(pair, function(one) one$mean, 0)
  by_weight <- sapply(pair, function(one) one$by_weight)
  influence <- by_weight * d$weight.
  for (source in sources) influence <- influence + carried(source, by_weight)
  found <- covariance_of(influence, used, if (all(is.na(d$unit.))) NULL else d$unit., cluster)
  if (!variance) found$V <- found$V * NA
  two_means(ids, means, found$V, risks, level, found$df, complete = max(1, sum(used) - 2))
}

covariance_of <- function(influence, used, set, cluster) {
  touched <- rowSums(influence != 0) > 0
  by <- function(codes) {
    rows <- if (identical(codes, set)) used else touched
    sums <- rowsum(influence[rows, , drop = FALSE], codes[rows])
    list(V = nrow(sums) / (nrow(sums) - 1) * crossprod(sums), number = nrow(sums))
  }
  if (!is.null(cluster)) {
    codes <- level_text(cluster)
    found <- by(codes)
    V <- found$V
    if (!is.null(set)) V <- V + by(paste(set))$V - by(paste(codes, set))$V
    return(list(V = V, df = if (found$number < few_clusters) found$number - 1 else Inf))
  }
  if (is.null(set)) return(list(V = crossprod(influence), df = Inf))
  found <- by(set)
  list(V = if (found$number < too_few_clusters) found$V * NA else found$V, df = if (found$number < few_clusters) found$number - 1 else Inf)
}

# A weighted Kaplan-Meier curve at a time, or the area under it until then, with the influence of each row.
weighted_curve <- function(time, event, w, at, area) {
  times <- sort(unique(time))
  d <- vapply(times, function(s) sum(w[time == s & event]), 0)
  n <- vapply(times, function(s) sum(w[time >= s]), 0)
  S <- cumprod(1 - d / n)
  step <- ifelse(d > 0 & S > 0, d / (n * (n - d)), 0)
  gone <- ifelse(d > 0 & S > 0, 1 / (n - d), 0)
  place <- match(time, times)
  before <- times <= at
  effect <- outer(seq_along(time), which(before), function(i, k) {
    cumsum(step)[pmin(place[i], k)] - ifelse(place[i] <= k & event[i], gone[place[i]], 0)
  })
  curve <- S[before]
  widths <- diff(c(0, times[before], at))
  if (area) return(list(value = sum(widths * c(1, curve)), influence = w * drop(effect %*% (curve * widths[-1]))))
  last <- length(curve)
  list(value = if (last) 1 - curve[last] else 0, influence = if (last) -w * curve[last] * effect[, last] else 0 * w)
}

# Risks, or mean times, of two groups with robust variances; sets may lie across the groups.
balanced_contrasts <- function(ids, d, time, event, group, treated, reference, at, level, cluster, area = FALSE, conf_type = "plain") {
  d <- d[d$weight. > 0 & d[[group]] %in% c(treated, reference), , drop = FALSE]
  codes <- if (is.null(cluster)) seq_len(nrow(d)) else d[[cluster]]
  own <- d[[group]] == treated
  influence <- matrix(0, nrow(d), 2)
  value <- numeric(2)
  few <- FALSE
  for (k in 1:2) {
    rows <- if (k == 1) own else !own
    found <- weighted_curve(d[[time]][rows], d[[event]][rows], d$weight.[rows], at, area)
    value[k] <- found$value
    influence[rows, k] <- found$influence
    few <- few || length(unique(codes[rows])) < too_few_clusters
  }
  V <- crossprod(rowsum(influence, codes)) * if (few && !is.null(cluster)) NA else 1
  put(ids$difference, value[1] - value[2], sqrt(sum(V * outer(c(1, -1), c(1, -1)))), level)
  slope <- c(1, -1) / value
  put(ids$ratio, log(value[1] / value[2]), sqrt(sum(V * outer(slope, slope))), level, exp)
  for (k in 1:2) {
    error <- sqrt(V[k, k])
    ends <- if (area || conf_type == "plain") value[k] + c(-1, 1) * qnorm(1 - (1 - level) / 2) * error else
      1 - curve_limits(1 - value[k], error, level, conf_type)
    id <- ids[[c("treated", "reference")[k]]]
    if (!is.null(id)) compare(id, value[k], ends[1], ends[2], value = value[k], error = error, level = level, natural = identity, df = Inf)
  }
}

# The upper and the lower limit of survival.
curve_limits <- function(S, error, level, conf_type) {
  z <- qnorm(1 - (1 - level) / 2) * c(1, -1) * error
  switch(conf_type, log = pmin(1, S * exp(z / S)), `log-log` = S^exp(-z / (S * abs(log(S)))),
         logit = plogis(qlogis(S) + z / (S * (1 - S))),
         arcsin = sin(pmin(pi / 2, pmax(0, asin(sqrt(S)) + z / (2 * sqrt(S * (1 - S))))))^2, c(NA, NA))
}

weighted_median <- function(id, d, time, event, level, cluster, conf_type) {
  d$cluster. <- if (is.null(cluster)) seq_len(nrow(d)) else d[[cluster]]
  robust <- !is.null(cluster) || any(d$weight. != floor(d$weight.))
  fit <- survfit(Surv(d[[time]], d[[event]]) ~ 1, weights = d$weight., cluster = d$cluster., robust = robust,
                 conf.type = conf_type, conf.int = level)
  found <- quantile(fit, 0.5)
  compare(id, found$quantile[[1]], found$lower[[1]], found$upper[[1]])
}

# The log-rank test within matched sets.
test_within_sets <- function(id, d, time, event, group, rho) {
  test <- survdiff(Surv(d[[time]], d[[event]]) ~ d[[group]] + strata(d$unit.), rho = rho)
  df <- nlevels(droplevels(d[[group]])) - 1
  compare(id, NA, p = pchisq(test$chisq, df, lower.tail = FALSE), statistic = test$chisq, freedom = df)
}

# The log-rank test of two weighted groups; the variance is that of drawing who has the event from those at risk.
test_of_weighted <- function(id, d, time, event, group, rho) {
  own <- as.integer(droplevels(d[[group]])) == 1
  w <- d$weight.
  before <- 1
  apart <- variance <- 0
  for (s in sort(unique(d[[time]][d[[event]]]))) {
    risk <- d[[time]] >= s
    dying <- d[[time]] == s & d[[event]]
    p <- sum(w[risk & own]) / sum(w[risk])
    apart <- apart + before^rho * (sum(w[dying & own]) - p * sum(w[dying]))
    n <- sum(risk)
    if (n > 1) variance <- variance + before^(2 * rho) * sum(dying) * (n - sum(dying)) / (n * (n - 1)) * sum((w * (own - p))[risk]^2)
    before <- before * (1 - sum(w[dying]) / sum(w[risk]))
  }
  compare(id, NA, p = pchisq(apart^2 / variance, 1, lower.tail = FALSE), statistic = apart^2 / variance, freedom = 1)
}

# The standardized difference of a variable, or of one of its levels, between the groups; the standard deviation is of the
# sample before balancing, but for overlap and matching weights, where it is everybody's, weighted.
standardized_difference <- function(id, d, name, level, group, treated, after, denominator) {
  x <- if (is.null(level)) as.numeric(d[[name]]) else as.numeric(level_text(d[[name]]) == level)
  share <- !is.null(level) || all(x %in% 0:1)
  own <- d[[group]] == treated
  w <- if (after) d$weight. else rep(1, nrow(d))
  moments <- function(x, w) {
    w <- w / sum(w)
    middle <- sum(w * x)
    c(middle, if (share) middle * (1 - middle) else sum(w * (x - middle)^2) / (1 - sum(w^2)))
  }
  spread <- switch(denominator, treated = moments(x[own], rep(1, sum(own)))[2], control = moments(x[!own], rep(1, sum(!own)))[2],
    pooled = (moments(x[own], rep(1, sum(own)))[2] + moments(x[!own], rep(1, sum(!own)))[2]) / 2, weighted = moments(x, d$weight.)[2])
  difference <- sum((w * x)[own]) / sum(w[own]) - sum((w * x)[!own]) / sum(w[!own])
  compare(id, if (abs(difference) < 1e-12) 0 else difference / sqrt(spread))
}

# Nearest or optimal pairs made again, where MatchIt is here whose pairs ours are. How many rows have another set of partners
# is said, and stands in no comparison: pairs at equal distances may be made either way.
matched_again <- function(what, d, score, group, treated, arguments) {
  if (!requireNamespace("MatchIt", quietly = TRUE) || packageVersion("MatchIt") < "4.7.0") {
    message(what, ": the matching is not repeated: it needs MatchIt 4.7 or newer")
    return(invisible(NULL))
  }
  d$a. <- as.numeric(d[[group]] == treated)
  found <- tryCatch(do.call(MatchIt::matchit, c(list(as.formula(paste("a. ~", score)), data = d), arguments)),
                    error = function(e) message(what, ": the matching: ", conditionMessage(e)))
  if (is.null(found)) return(invisible(NULL))
  apart <- sum(abs(unname(found$weights) - d$weight.) > 1e-8)
  message(what, ": matched again by MatchIt ", as.character(packageVersion("MatchIt")), ": of ", nrow(d), " patients ",
          apart, " have another weight")
}
