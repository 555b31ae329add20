-- Wrong: written for MySQL: backticks, AUTO_INCREMENT, ENGINE (42601).

CREATE TABLE `orders` (
    `id` int NOT NULL AUTO_INCREMENT,
    `customer_id` int NOT NULL,
    PRIMARY KEY (`id`)
) ENGINE=InnoDB;
